// Sources of Gateway.
