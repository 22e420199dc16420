// Tests of Soundness.
