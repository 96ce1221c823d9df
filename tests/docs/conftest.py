"""Pages with Flink share its JVM, as the tests of Flink do."""

from tests.flink.conftest import _java_objects_are_forgotten_by_the_main_thread_alone

__all__ = ["_java_objects_are_forgotten_by_the_main_thread_alone"]
