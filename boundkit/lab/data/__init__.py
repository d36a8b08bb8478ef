"""Labeled images from the folders that data sets are shipped in."""

from boundkit.lab.data.images import Images
from boundkit.lab.data.opening import open_images
from boundkit.lab.data.task import Task, task_of

__all__ = ["Images", "Task", "open_images", "task_of"]
