using System.CommandLine;
using SparkGateway.Api.Cli;
using SparkGateway.Api.Cli.Sessions;

// One file for each verb; what `serve` is made of stands in Composition.cs.
var console = new CliConsole(Console.Out, Console.Error);
var root = new RootCommand(HelpTexts.Root)
{
    ServeVerb.Create(console),
    CheckConfigVerb.Create(console),
    MigrateVerb.Create(console),
    SessionsVerb.Create(console),
    AuditVerb.Create(console),
};
return await CommandLine.RunAsync(root, args, console);
