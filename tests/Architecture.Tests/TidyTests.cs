namespace SparkGateway.Architecture.Tests;

public sealed class TidyTests
{
    private static readonly string[] Texts = ["*.cs", "*.csproj", "*.props", "*.sh", "*.md", "*.yml", "*.yaml", "*.sql", "*.py", "*.java", "*.proto"];

    private static string Lines(int count) => string.Concat(Enumerable.Repeat("// line\n", count));

    private static string Method(int lines) => $"class C\n{{\n    void M()\n    {{\n{string.Concat(Enumerable.Repeat("        M();\n", lines - 3))}    }}\n}}\n";

    [Fact]
    public void Code_FitsOnItsPage() => Check(TidyRules.LongFile, ["*.cs", "*.sh", "*.py", "*.java"], Lines(TidyRules.MaxFileLines), Lines(TidyRules.MaxFileLines + 1));

    [Fact]
    public void Methods_FitOnAScreen() => Check(TidyRules.LongMethods, ["*.cs"], Method(TidyRules.MaxMethodLines), Method(TidyRules.MaxMethodLines + 1));

    [Fact]
    public void Program_IsATableOfContents()
    {
        Check(TidyRules.LongProgram, ["*.cs"], Lines(TidyRules.MaxProgramLines), "");
        Assert.NotEmpty(TidyRules.LongProgram("src/Api/Program.cs", Lines(TidyRules.MaxProgramLines + 1)));
    }

    [Theory]
    [InlineData("\tx\n")]
    [InlineData("x\r\n")]
    [InlineData("x \n")]
    [InlineData("x")]
    public void Files_HaveNoTabsNoTrailingBlanksAndOneLineEnd(string bad) => Check(TidyRules.Whitespace, Texts, "x\n", bad);

    [Theory]
    [InlineData("// TO", "DO: later\n")]
    [InlineData("// FIX", "ME\n")]
    [InlineData("var path = \"/ho", "me/somebody/spark\";\n")]
    [InlineData("var path = \"/ro", "ot/x\";\n")]
    [InlineData("cat /tm", "p/fx\n")]
    public void Files_PromiseNothingAndNameNoMachine(string start, string end) => Check(TidyRules.Words, Texts, "var path = Path.GetTempPath();\n", start + end);

    [Fact]
    public void Code_DoesNotSayThis() =>
        Check(TidyRules.ThisQualifier, ["*.cs"], "class C { int x; C(int x) { this.x = x; } }\n", "class C { int x; int M() => this.x; }\n");

    private static void Check(Func<string, string, IEnumerable<string>> rule, string[] patterns, string good, string bad)
    {
        Assert.Empty(rule("good.cs", good));
        if (bad.Length > 0) Assert.NotEmpty(rule("bad.cs", bad));
        Findings.None(patterns.SelectMany(Repository.Files).SelectMany(path => rule(path, Repository.Read(path))));
    }
}
