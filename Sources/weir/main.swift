import Service

WeirProgram.main()
