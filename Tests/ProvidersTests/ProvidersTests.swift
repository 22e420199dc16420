// Tests of Providers.
