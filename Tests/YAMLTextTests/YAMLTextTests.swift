// Tests of YAMLText.
