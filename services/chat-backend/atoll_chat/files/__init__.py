"""Files that users uploaded: rows here, bytes on disk under their id."""
