"""The engines, one file each: where trials run and on which clock."""
