"""What people read, in English and Chinese: the catalogue, the words for values, sentences."""
