module example.com/integcov/programs

go 1.21

require github.com/go-integcov/go-integcov/src/handler v0.0.0

replace github.com/go-integcov/go-integcov/src/handler => ../../src/handler
