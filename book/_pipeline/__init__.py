"""From the percent scripts to the published site: ``python book/_pipeline --help``."""
