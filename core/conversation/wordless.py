"""A picture alone is a question, too."""

# What the model is asked then.
WORDLESS = "Describe the picture."
