import os

# Before anything of the product is imported.
if "TESTS_MEASURED_IN" in os.environ:
    from tests.measuring import begin

    begin()
