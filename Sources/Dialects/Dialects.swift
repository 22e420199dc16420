// Sources of Dialects.
