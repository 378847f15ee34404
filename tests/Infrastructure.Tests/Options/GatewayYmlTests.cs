using SparkGateway.Infrastructure.Options;

namespace SparkGateway.Infrastructure.Tests.Options;

public sealed class GatewayYmlTests
{
    private static readonly string[] Lines = GatewayConfig.Defaults().Split('\n');

    [Fact]
    public void GatewayYml_AndOptionTypes_HaveTheSameKeysAndDefaults()
    {
        var problems = new List<ConfigProblem>();
        var binder = new ConfigBinder(problems);
        var document = Assert.IsType<ConfigMap>(YamlReader.Read(GatewayConfig.Defaults(), line => new("gateway.yml", (int)line), problems));
        var config = Assert.Single(document.Entries);
        binder.Apply(config.Value);

        Assert.Empty(problems);
        Assert.Equal(ConfigPrinter.PrintWithout("", new GatewayOptions()), ConfigPrinter.PrintWithout("", binder.Options));
        var missing = OptionSchema.Root.All()
            .Where(key => key.Kind != OptionKind.Section && !key.Path.Contains("[]", StringComparison.Ordinal))
            .Select(key => key.Path)
            .Except(binder.Origins.Keys);
        Assert.Empty(missing);
    }

    [Fact]
    public void GatewayYml_EachKey_IsCommentedWithWhatIsAllowed()
    {
        var silent = new List<string>();
        foreach (var path in OptionRules.Paths)
        {
            var comment = CommentAbove(path.Split("[]")[0]);
            if (!comment.Contains(OptionRules.For(path).Allowed, StringComparison.Ordinal)) silent.Add($"{path}: {OptionRules.For(path).Allowed}");
        }

        Assert.Empty(silent);
    }

    [Fact]
    public void Rules_AndOptionTypes_HaveTheSameKeys()
    {
        var leaves = OptionSchema.Root.All().SelectMany<OptionKey, string>(key => key.Kind switch
        {
            OptionKind.TextList or OptionKind.TextMap => [key.Path + "[]"],
            _ => key.IsScalar ? [key.Path] : [],
        });

        Assert.Equal(leaves.Order(), OptionRules.Paths.Order());
    }

    [Fact]
    public void Rules_EachDefault_IsAllowed()
    {
        foreach (var file in (string[])["gateway", "local"])
            Assert.Empty(ConfigFolder.Load([Path.Combine(ConfigFolder.Solution, "config", file + ".yml")]).Problems);
    }

    [Theory]
    [InlineData("local", "127.0.0.1", "local", "sqlite")]
    [InlineData("staging", "0.0.0.0", "", "postgres")]
    [InlineData("prod", "0.0.0.0", "", "postgres")]
    public void Profile_WithItsFiles_LoadsWithoutProblem(string profile, string bind, string team, string store)
    {
        using var folder = new ConfigFolder();
        string[] sets = store == "postgres" ? ["store.connection_string_file=" + folder.Write("connection", "Host=db")] : [];

        var config = ConfigFolder.Load([Path.Combine(ConfigFolder.Solution, "config", profile + ".yml")], null, sets);

        Assert.Empty(config.Problems);
        Assert.Equal((bind, team, store), (config.Options.SparkConnect.Bind, config.Options.SparkConnect.OnDemand.DefaultTeam, config.Options.Store.Kind));
        Assert.Equal(profile == "local", config.Options.SparkConnect.OnDemand.AnyTeam);
    }

    [Theory]
    [InlineData("local")]
    [InlineData("staging")]
    [InlineData("prod")]
    public void Profile_HoldsDifferencesOnly(string profile)
    {
        var file = Path.Combine(ConfigFolder.Solution, "config", profile + ".yml");
        var config = ConfigFolder.Load([file]);
        var same = OptionSchema.Root.All()
            .Where(key => key.IsScalar && config.OriginOf(key.Path).Source == file)
            .Where(key => Equals(ValueOf(config.Options, key.Path), ValueOf(new GatewayOptions(), key.Path)))
            .Select(key => key.Path);

        Assert.Empty(same);
    }


    private static object? ValueOf(object options, string path)
    {
        var section = OptionSchema.Root;
        foreach (var name in path.Split('.'))
        {
            var key = section.Find(name)!;
            options = key.Property.GetValue(options)!;
            section = key.Inside ?? section;
        }

        return options;
    }

    /// <summary>The comment lines right above the key at its place in the file.</summary>
    private static string CommentAbove(string path)
    {
        var at = 0;
        var indent = 2;
        foreach (var name in path.Split('.'))
        {
            var start = new string(' ', indent) + name + ":";
            at = Array.FindIndex(Lines, at + 1, line => line.StartsWith(start, StringComparison.Ordinal));
            Assert.True(at > 0, $"{path} is not in gateway.yml");
            indent += 2;
        }

        var first = at;
        while (Lines[first - 1].TrimStart().StartsWith('#')) first--;
        return string.Join('\n', Lines[first..at]);
    }
}
