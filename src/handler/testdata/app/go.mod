module example.com/integcov/app

go 1.20
