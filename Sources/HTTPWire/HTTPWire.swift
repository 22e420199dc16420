// Sources of HTTPWire.
