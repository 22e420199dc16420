// Tests of ReplayProvider.
