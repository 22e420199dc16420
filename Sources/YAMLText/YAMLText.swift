// Sources of YAMLText.
