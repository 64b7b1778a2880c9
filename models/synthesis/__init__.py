"""Images of defects that no camera took, for classes of which there are few: blended from a plant's own pictures."""
