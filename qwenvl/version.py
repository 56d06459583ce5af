"""The version of the library, of the page and of the files it writes about itself."""

__version__ = "0.1.0"
