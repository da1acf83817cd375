"""Runs predictors confined, each in a process of its own, with limits of time, memory and files."""
