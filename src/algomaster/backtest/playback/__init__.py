"""A session bar by bar: stepped, gone back in, looked at, and run on with one thing changed."""
