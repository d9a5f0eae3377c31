# Only forwards; lab.py does the work.
.PHONY: lab test notebooks
lab test notebooks:
	python3 lab.py $@
