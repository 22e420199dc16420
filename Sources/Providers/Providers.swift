// Sources of Providers.
