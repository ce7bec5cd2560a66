raise RuntimeError("this file does not run")
