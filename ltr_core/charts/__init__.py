"""Altair charts in one house style, and how they are shown in the book."""

from ltr_core.charts.output import figure_bundle, records, show

__all__ = ["figure_bundle", "records", "show"]
