// Sources of StreamBytes.
