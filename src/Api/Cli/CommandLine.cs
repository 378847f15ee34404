using System.CommandLine;

namespace SparkGateway.Api.Cli;

/// <summary>Runs the verb that the arguments name. Whatever happens ends as one sentence and an exit code.</summary>
internal static class CommandLine
{
    private const string DebugSwitch = "SPARK_GATEWAY_DEBUG";

    public static async Task<int> RunAsync(RootCommand root, string[] args, CliConsole console)
    {
        try
        {
            var arguments = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
            if (arguments.Errors.Count > 0) return console.Refuse(Usage(args, arguments));
            // The host of `serve` ends on signals itself; the other verbs are short.
            var invocation = new InvocationConfiguration
            {
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
                Output = console.Out,
                Error = console.Error,
            };
            return await arguments.InvokeAsync(invocation);
        }
        catch (Exception e)
        {
            return Unexpected(e, console);
        }
    }

    private static string Usage(string[] args, ParseResult arguments)
    {
        if (args.Length == 0) return "say what to do: serve, check-config, migrate, sessions or audit; --help shows how.";
        var verb = arguments.CommandResult.Command;
        var wrong = arguments.UnmatchedTokens.Count > 0
            ? $"'{arguments.UnmatchedTokens[0]}' is not known here"
            : arguments.Errors[0].Message.TrimEnd('.');
        return $"{wrong}; 'spark-gateway {PathOf(verb)}--help' shows what is allowed.";
    }

    /// <summary>"sessions list " for the verb list of sessions.</summary>
    private static string PathOf(Command verb) =>
        verb is RootCommand ? "" : $"{string.Concat(verb.Parents.OfType<Command>().Take(1).Select(PathOf))}{verb.Name} ";

    private static int Unexpected(Exception e, CliConsole console)
    {
        var code = console.Fail($"{e.GetType().Name}: {e.Message} This is a bug, please report it ({DebugSwitch}=1 shows where it happened).");
        if (Environment.GetEnvironmentVariable(DebugSwitch) == "1") console.Error.WriteLine(e);
        return code;
    }
}
