// Tests of Dialects.
