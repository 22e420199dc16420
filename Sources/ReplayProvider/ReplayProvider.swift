// Sources of ReplayProvider.
