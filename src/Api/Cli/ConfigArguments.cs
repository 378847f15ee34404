using System.CommandLine;
using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Api.Cli;

/// <summary>The two options by which every verb is configured.</summary>
internal sealed class ConfigArguments
{
    private readonly Option<string[]> config = new("--config") { Description = HelpTexts.Config, HelpName = "FILE", Arity = ArgumentArity.OneOrMore };
    private readonly Option<string[]> set = new("--set") { Description = HelpTexts.Set, HelpName = "KEY=VALUE", Arity = ArgumentArity.OneOrMore };

    public ConfigArguments(Command verb)
    {
        verb.Add(config);
        verb.Add(set);
    }

    public ConfigSource Read(ParseResult arguments) => ConfigSource.Of(arguments.GetValue(config) ?? [], arguments.GetValue(set) ?? []);
}
