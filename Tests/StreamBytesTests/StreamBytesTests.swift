// Tests of StreamBytes.
