"""Bytes from strangers become safe pictures, and safe pictures become blobs."""
