"""Can a reasoning model say one thing and use another, and does its reasoning show it?"""

__version__ = "0.2.0"
