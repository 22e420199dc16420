// Sources of Pricing.
