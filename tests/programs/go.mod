module example.com/integcov/programs

go 1.21
