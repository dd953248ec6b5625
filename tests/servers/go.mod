module example.com/integcov/servers

go 1.21
