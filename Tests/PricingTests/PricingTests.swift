// Tests of Pricing.
