// Sources of Service.
