// Sources of TransportSecurity.
