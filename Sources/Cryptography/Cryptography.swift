// Sources of Cryptography.
