module github.com/go-integcov/go-integcov/src/handler

go 1.20
