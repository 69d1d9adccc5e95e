"""The nouns of the product, as frozen values and enums."""
