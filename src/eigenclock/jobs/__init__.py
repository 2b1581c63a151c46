"""The jobs behind the commands: their configuration, the folder of a run, prediction, training, report."""
