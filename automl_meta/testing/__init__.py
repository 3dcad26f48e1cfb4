"""Contract tests, one class for each extension point: subclass one in your own tests, name your member."""
