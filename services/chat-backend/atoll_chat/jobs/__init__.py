"""Jobs: a task on a stored file, worked on in the background, its result a file as well."""
