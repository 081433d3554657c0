.DEFAULT_GOAL := help
help:
	@echo "make demo | make test | make lint"
.PHONY: help
