"""Scripts to read in one sitting; each is run by a test."""
