"""Parts of this module for other frameworks."""
