using Gantry.Core.Tests.Data;
using Xunit.Runner.InProc.SystemConsole;

// The tests, or the process that some of them start to kill it.
return args is [ServerProcess.Verb, var dataRoot]
    ? await ServerProcess.RunAsync(dataRoot)
    : await ConsoleRunner.Run(args);
