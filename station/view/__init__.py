"""What a person sees of a run: the terminal while it works, and the parts when it is done."""
